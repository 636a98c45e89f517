// Flashing a board from the browser: a bundle is verified, the chip at a port says what it is, and what fits is written.

import { useState } from "preact/hooks";
import { GridsealError, reasonOf } from "../../errors.js";
import type { OpenBundle } from "../../flash/open-bundle.js";
import { Pair } from "../parts/figures.js";
import { bundleOf, type Found, hasSerial, lookAtBoard, publicKeyFrom } from "../session/board.js";
import { text } from "../texts.js";

interface Looked extends Found {
  readonly opened: OpenBundle;
}

export function FlashPage() {
  const [looked, setLooked] = useState<Looked | undefined>(undefined);
  const [said, setSaid] = useState<{ readonly told?: string; readonly reason?: string }>({});
  const [isBusy, setBusy] = useState(false);
  const act = (work: () => Promise<void>) => {
    setBusy(true);
    void work()
      .catch((error: unknown) => {
        const remedy = error instanceof GridsealError ? ` ${error.remedy}` : "";
        setSaid({ reason: reasonOf(error) + remedy });
        setLooked(undefined);
      })
      .finally(() => setBusy(false));
  };
  const look = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    act(async () => {
      setSaid({ told: text("app.loading") });
      setLooked(await lookWith(form));
      setSaid({});
    });
  };
  return (
    <article>
      <h1>{text("page.flash")}</h1>
      <p>{text("flash.why")}</p>
      {hasSerial() ? (
        <Choice onLook={look} isBusy={isBusy || looked?.plan.type === "write"} />
      ) : (
        <p>{text("flash.none")}</p>
      )}
      {looked !== undefined && (
        <Board
          looked={looked}
          isBusy={isBusy}
          onWrite={() => act(() => write(looked, setSaid).then(() => setLooked(undefined)))}
          onLeave={() => act(() => looked.chip.abandon().then(() => setLooked(undefined)))}
        />
      )}
      {said.reason !== undefined && (
        <p class="alert" role="alert">
          {said.reason}
        </p>
      )}
      <p aria-live="polite" class="outcome">
        {said.told}
      </p>
    </article>
  );
}

async function lookWith(form: FormData): Promise<Looked> {
  const signer = publicKeyFrom(String(form.get("signer") ?? ""));
  if (signer === undefined) throw new Error(text("flash.key"));
  const files = form.getAll("files").filter((file): file is File => file instanceof File);
  const opened = await bundleOf(files, signer, (file) => new Error(text("flash.missing", { file })));
  return { opened, ...(await lookAtBoard(opened, form.get("held") === null)) };
}

/** Writes what the bundle has for the board, and starts it. */
async function write({ chip, plan }: Looked, setSaid: (said: { readonly told: string }) => void): Promise<void> {
  if (plan.type !== "write") return;
  try {
    await chip.write(plan.parts, ({ file, written, bytes }) =>
      setSaid({ told: text("flash.progress", { file, percent: Math.floor((100 * written) / bytes) }) }),
    );
  } catch (thrown) {
    await chip.abandon();
    throw thrown;
  }
  await chip.leave();
  setSaid({ told: text("flash.done") });
}

function Choice({ onLook, isBusy }: { readonly onLook: (event: SubmitEvent) => void; readonly isBusy: boolean }) {
  return (
    <form class="filter" onSubmit={onLook}>
      <label class="file">
        {text("flash.files")} <input type="file" name="files" multiple required />
      </label>
      <label class="wide">
        {text("flash.signer")} <input name="signer" autocomplete="off" spellcheck={false} required />
      </label>
      <label>
        <input type="checkbox" name="held" /> {text("flash.held")}
      </label>
      <button type="submit" disabled={isBusy}>
        {text("flash.look")}
      </button>
    </form>
  );
}

interface BoardProps {
  readonly looked: Looked;
  readonly isBusy: boolean;
  readonly onWrite: () => void;
  readonly onLeave: () => void;
}

function Board({ looked: { opened, chip, plan }, isBusy, onWrite, onLeave }: BoardProps) {
  const { name, mac } = chip.found;
  const { board, version } = opened.bundle;
  return (
    <section>
      <dl class="pairs">
        <Pair name={text("flash.chip")}>
          <b>{name}</b>
        </Pair>
        {mac !== undefined && (
          <Pair name={text("flash.mac")}>
            <code>{mac}</code>
          </Pair>
        )}
        <Pair name={text("flash.bundle")}>{text("flash.named", { board, version: String(version) })}</Pair>
      </dl>
      {plan.type === "refused" ? (
        <p class="alert" role="alert">
          {plan.reason}
        </p>
      ) : (
        <>
          {plan.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
          <button type="button" onClick={onWrite} disabled={isBusy}>
            {text("flash.write")}
          </button>{" "}
          <button type="button" onClick={onLeave} disabled={isBusy}>
            {text("flash.leave")}
          </button>
        </>
      )}
    </section>
  );
}
