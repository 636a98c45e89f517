// A block's contracts run again in this browser, call by call, and each run held against what the block has sealed of it.

import { useEffect, useState } from "preact/hooks";
import { shownToken } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { Alert } from "../parts/alert.js";
import { Mark } from "../parts/mark.js";
import type { AskedReplay, ShownRun, ToldReplay } from "../replay/told.js";
import { numberOf } from "../route.js";
import { numberText, text } from "../texts.js";
import type { PageProps } from "./page-props.js";

export function ReplayPage({ network, place }: PageProps) {
  const [service, height] = [numberOf(place.parts[0]), numberOf(place.parts[1])];
  if (service === undefined || height === undefined) return <p>{text("page.unknown")}</p>;
  return (
    <article>
      <h1>{text("replay.title", { service, height })}</h1>
      <p class="quiet">{text("replay.rests")}</p>
      <nav class="steps" aria-label={text("replay.title", { service, height })}>
        <a href={`#/chains/${service}/blocks/${height}`}>
          {service}:{numberText(height)}
        </a>
      </nav>
      <Replay key={location.hash} network={network} service={service} height={height} />
    </article>
  );
}

interface ReplayProps {
  readonly network: Network;
  readonly service: number;
  readonly height: number;
}

function Replay({ network, service, height }: ReplayProps) {
  const [told, setTold] = useState<ToldReplay | undefined>(undefined);
  useEffect(() => {
    const { replay = "", engine = "" } = document.getElementById("explorer")!.dataset;
    const worker = new Worker(replay, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<ToldReplay>) => setTold(data);
    worker.onerror = ({ message }) => setTold({ type: "failed", isWrong: false, reason: message });
    const address = new URL(engine, document.baseURI).href;
    const { genesis } = network;
    worker.postMessage({ genesis, service, height, engine: address, token: shownToken() } satisfies AskedReplay);
    return () => worker.terminate();
  }, [network, service, height]);
  if (told === undefined) return <p class="quiet">{text("app.loading")}</p>;
  if (told.type === "failed")
    return <Alert isWrong={told.isWrong}>{text("replay.failed", { reason: told.reason })}</Alert>;
  if (told.type === "block") {
    return (
      <p class="quiet" role="status">
        {text("replay.reached", { service: told.service, height: told.height, of: told.of })}{" "}
        <progress value={told.height} max={told.of} aria-label={text("replay.progress")} />
      </p>
    );
  }
  return (
    <>
      <p data-runs={told.runs.length}>
        {text("replay.done", { runs: told.runs.length, height, judged: told.judgedAt })}
      </p>
      {told.runs.map((run, index) => (
        <Run key={`${run.contract} ${run.entry} ${index}`} run={run} />
      ))}
    </>
  );
}

function Run({ run: { contract, entry, what, used, isSame, sealed, calls } }: { readonly run: ShownRun }) {
  return (
    <section class="run" data-same={isSame}>
      <h2>
        {entry} · {contract} · {what} <Mark state={isSame ? "verified" : "wrong"} />
      </h2>
      {sealed !== undefined && <Alert>{text("replay.differs", { sealed })}</Alert>}
      <p class="quiet">{text("replay.used", { used })}</p>
      <ol class="calls">
        {calls.map((call, index) => (
          <li key={index}>
            <code>{numberText(call.used)}</code> <code>{call.text}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}
