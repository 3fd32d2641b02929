// What the site tells while it makes a picture, and how that is said.

// The events of a stream, as [name, data], until it ends.
export async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const name = part.match(/^event: (.*)$/m)?.[1];
      const data = part.match(/^data: (.*)$/m)?.[1];
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
}

export function figures(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace("-", "−");
}

// What a reader waits for, in words.
export function waitingWords({ ahead, seconds, about }) {
  if (seconds === null) return ahead ? `${ahead} ${ahead === 1 ? "picture is" : "pictures are"} before yours …` : "Yours is next …";
  const so = Math.max(1, Math.round(seconds));
  return `Loading the network: ${about && about > seconds ? `${so} of about ${Math.ceil(about)}` : so} s …`;
}
