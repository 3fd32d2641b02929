// What the pages gain from scripts. Each module looks for its own elements and does nothing elsewhere.
import "./theme-switch.js";
import "./copy.js";
import "./grid.js";
import "./graph.js";
import "./search.js";
import "./keys.js";
import "./prefetch.js";
import "./live.js";
import "./heat.js";
import "./examples.js";
import "./look.js";
import "./map.js";
import "./spy.js";
import "./microscope.js";
import "./rest.js";
