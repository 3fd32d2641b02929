"""CLIP's tokenizer against open_clip's (OpenAI's own, with its cleaning) and transformers'."""

import json
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from micrograph.errors import Unavailable
from micrograph.networks.clip import vocabulary
from micrograph.networks.clip.tokenizer import Tokenizer, clean, letters

TEXT = """a photo of the cat dog Überraschung naïve café façade Москва 東京 서울 مرحبا שלום ไทย
    antidisestablishmentarianism COVID-19 iPhone12 x² ½ Ⅷ 3.14159 $1,299.99 50% #hashtag @user
    e=mc² C++ rock'n'roll it's don't we're I've I'm you'll he'd o'clock dogs' 'tis 🥚 👩‍🚀 ❤️ 🇩🇪 …
    — – “quoted” ‘single’ it’s ﬁne ｆｕｌｌ　width &amp; &lt;b&gt; &eacute; &quot;hi&quot; &#39;s
    http://example.org/path?q=1&r=2 a_b snake_case tab\there new\nline nbsp\u00a0here <html> ...!?!
    e\u0301 Å \u212b ǅ ß İ ı ﷽ ㍿ ① ٣ १२ zero\u200bwidth soft\u00adhyphen"""
WORDS = TEXT.split()

SENTENCES = [
    *WORDS,
    *(" ".join(WORDS[i : i + 4]) for i in range(len(WORDS) - 4)),
    *(f"a photo of a {w}." for w in WORDS),
    *(f"{w.upper()}, {w.title()} and {w}" for w in WORDS if "&" not in w),
    "",
    " ",
    "  many   blanks  ",
    "a" * 500,
    "🥚" * 40,
    "1234567890" * 5,
    "\r\n mixed \t ends \n",
]


@pytest.fixture(scope="module")
def path():
    try:
        return vocabulary.find()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ours(path):
    return Tokenizer(vocabulary.read(path))


@pytest.fixture(scope="module")
def theirs(peer):
    return peer("open_clip").tokenizer.SimpleTokenizer()


def test_texts_of_people(ours, theirs):
    assert len(SENTENCES) >= 300
    assert {s: ours.encode(s) for s in SENTENCES} == {s: theirs.encode(s) for s in SENTENCES}


def test_all_words_are_themselves(ours, theirs):
    words = list(ours.words())
    assert len(words) > 20_000
    assert [ours.encode(w) for w in words[::50]] == [theirs.encode(w) for w in words[::50]]


def test_marks_and_size(ours, theirs):
    assert (ours.begin, ours.end) == (theirs.sot_token_id, theirs.eot_token_id)
    assert len(ours.tokens) + 2 == theirs.vocab_size


@pytest.fixture(scope="module")
def plain(peer):
    """open_clip's without its cleaning."""
    found = peer("open_clip").tokenizer.SimpleTokenizer()
    found.clean_fn = str
    return found


def known(text: str) -> bool:
    """No characters that are newer than one of the two tables of Unicode."""
    return not any(unicodedata.category(c) in ("Cn", "Co", "Cs") for c in text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
@example(text="it'\u017f a 'S 'Ll '\u017f!'s'")
@example(text="x\x85y\u2028z\u1680\x1c")
def test_any_text_once_it_is_clean(ours, plain, text):
    text = clean(text)
    assume(clean(text) == text and known(text))
    assert ours.encode(text) == plain.encode(text)


def test_transformers(ours, path, peer, tmp_path):
    transformers = peer("transformers")
    pairs = vocabulary.read(path)
    merges = tmp_path / "merges.txt"
    merges.write_text("#version: 0.2\n" + "\n".join(" ".join(p) for p in pairs) + "\n")
    numbers = {t: i for i, t in enumerate([*ours.tokens, "<|startoftext|>", "<|endoftext|>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(numbers))
    theirs = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    assert len(letters()) == 256
    for text in SENTENCES:
        text = clean(text)  # transformers leaves entities and quotes as they are
        if clean(text) != text:
            continue
        expected = theirs(text)["input_ids"]
        assert [ours.begin, *ours.encode(text), ours.end] == expected, text
