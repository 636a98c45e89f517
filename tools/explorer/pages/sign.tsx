// Signing in with a key that stays in this browser, and signing operations with it: made here, numbered here, brought to the node, and
// shown with their receipts when they are sealed.

import { useEffect, useState } from "preact/hooks";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeKey, keyId } from "../../../src/wire/key.js";
import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { valueFromJson } from "../../contracts/value-json.js";
import { reasonOf } from "../../errors.js";
import { decodeHolderRow, HOLDER_ROW_BYTES_MAX, holders } from "../../routes/holders.js";
import { receipt as receiptShape } from "../../routes/receipts.js";
import { decodeRecordRow } from "../../routes/record-rows.js";
import { sealedRecords, submitRecord } from "../../routes/records.js";
import { ask, askBytes, itemsIn, pause, Refusal, showToken } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { Alert } from "../parts/alert.js";
import { Pair } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { type Algorithm, createKey, hasKeys, publicKeyOf } from "../session/browser-key.js";
import {
  checkedCredential,
  forgetHolder,
  type Holder,
  keepCredential,
  keepKey,
  readHolder,
  signNext,
  tokenOf,
} from "../session/holder.js";
import { text } from "../texts.js";
import type { PageProps } from "./page-props.js";

const CREDENTIAL_FILE_BYTES_MAX = 65_536;
const SEALED_TRIES = 60;

interface SignedIn {
  readonly holder: Holder;
  readonly kid: string;
  /** as COSE_Key, in hex */
  readonly publicKey: string;
  /** what the credential says */
  readonly subject: string | undefined;
  readonly roles: readonly string[];
}

async function load({ genesis }: Network): Promise<SignedIn | undefined> {
  const holder = await readHolder(genesis);
  if (holder === undefined) return undefined;
  const key = await publicKeyOf(holder.key);
  const named = { kid: toHex(keyId(key)), publicKey: toHex(encodeKey(key)) };
  if (holder.credential === undefined) return { holder, ...named, subject: undefined, roles: [] };
  const { subject, roles } = await checkedCredential(holder.credential, holder.key, genesis);
  return { holder, ...named, subject, roles };
}

export function SignPage({ network, live }: PageProps) {
  const [state, setState] = useState<{ readonly signedIn?: SignedIn | undefined; readonly reason?: string }>({});
  const reload = () =>
    void load(network).then(
      (signedIn) => setState({ signedIn }),
      (error: unknown) => setState({ reason: reasonOf(error) }),
    );
  useEffect(reload, [network]);
  const { signedIn, reason } = state;
  const act = (work: Promise<unknown>) =>
    void work.then(reload, (error: unknown) => setState({ ...state, reason: reasonOf(error) }));
  return (
    <article>
      <h1>{text("page.sign")}</h1>
      {reason !== undefined && <Alert>{reason}</Alert>}
      {!hasKeys() && <p>{text("sign.unsafe")}</p>}
      {hasKeys() && signedIn === undefined && (
        <section>
          <p>{text("sign.why")}</p>
          {(["Ed25519", "ESP256"] as const).map((algorithm: Algorithm) => (
            <button
              key={algorithm}
              type="button"
              onClick={() => act(createKey(algorithm).then((key) => keepKey(network.genesis, key)))}
            >
              {text("sign.make", { algorithm })}
            </button>
          ))}
        </section>
      )}
      {signedIn !== undefined && (
        <>
          <Who signedIn={signedIn} network={network} act={act} />
          {signedIn.subject !== undefined && (
            <Ask
              signedIn={signedIn}
              network={network}
              services={live.strips.map(({ service, name }) => ({ service, name }))}
            />
          )}
        </>
      )}
    </article>
  );
}

interface WhoProps {
  readonly signedIn: SignedIn;
  readonly network: Network;
  readonly act: (work: Promise<unknown>) => void;
}

function Who({ signedIn: { kid, publicKey, subject, roles }, network, act }: WhoProps) {
  const take = async (file: File | undefined) => {
    if (file === undefined || file.size > CREDENTIAL_FILE_BYTES_MAX) throw new Error(text("sign.noCredential"));
    await keepCredential(network.genesis, new Uint8Array(await file.arrayBuffer()));
  };
  return (
    <section>
      <dl class="pairs">
        <Pair name={text("sign.id")}>
          <code data-kid={kid}>{kid}</code>
        </Pair>
        <Pair name={text("sign.publicKey")}>
          <code class="public-key">{publicKey}</code>
        </Pair>
        {subject !== undefined && (
          <Pair name={text("sign.subject")}>
            <b>{subject}</b> · {roles.join(", ")} <Mark state="verified" />
          </Pair>
        )}
      </dl>
      {subject === undefined && <p>{text("sign.next", { publicKey: `${publicKey.slice(0, 8)}…` })}</p>}
      <label class="file">
        {text("sign.credential")}{" "}
        <input type="file" name="credential" onChange={(event) => act(take(event.currentTarget.files?.[0]))} />
      </label>{" "}
      <button type="button" onClick={() => act(forgetHolder(network.genesis))}>
        {text("sign.forget")}
      </button>
    </section>
  );
}

interface AskProps {
  readonly signedIn: SignedIn;
  readonly network: Network;
  readonly services: readonly { readonly service: number; readonly name: string }[];
}

interface Outcome {
  readonly said: string;
  readonly address?: string;
}

function Ask({ signedIn, network, services }: AskProps) {
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined);
  const [isSending, setSending] = useState(false);
  useEffect(() => {
    const show = () => void tokenOf(signedIn.holder, network.genesis).then(showToken, () => {});
    show();
    const timer = setInterval(show, 240_000);
    return () => clearInterval(timer);
  }, [signedIn]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [service, type, body] = ["service", "type", "body"].map((name) => String(form.get(name) ?? ""));
    setOutcome({ said: text("app.loading") });
    setSending(true);
    bring({ network, signedIn, service: Number(service), type: Number(type), body: body! })
      .finally(() => setSending(false))
      .then((place) => follow(place, setOutcome))
      .catch((error: unknown) => {
        const remedy = error instanceof Refusal ? ` ${error.remedy}` : "";
        setOutcome({ said: reasonOf(error) + remedy });
      });
  };
  return (
    <section>
      <h2>{text("sign.ask")}</h2>
      <form class="filter" onSubmit={submit}>
        <label>
          {text("violations.chain")}{" "}
          <select name="service">
            {services.map(({ service, name }) => (
              <option key={service} value={service}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {text("sign.type")} <input name="type" inputmode="numeric" pattern="[1-9][0-9]{0,4}" required />
        </label>
        <label class="wide">
          {text("sign.body")} <textarea name="body" rows={4} required spellcheck={false} />
        </label>
        <button type="submit" disabled={isSending}>
          {text("sign.send")}
        </button>
      </form>
      <p aria-live="polite" class="outcome">
        {outcome?.said} {outcome?.address !== undefined && <a href={outcome.address}>{text("sign.look")}</a>}
      </p>
    </section>
  );
}

interface Brought {
  readonly network: Network;
  readonly signedIn: SignedIn;
  readonly service: number;
  readonly type: number;
  readonly body: string;
}

interface Place {
  readonly service: number;
  readonly kid: string;
  readonly seq: number;
}

/** Resolves when the node has taken it. */
async function bring(asked: Brought): Promise<Place> {
  const { network, signedIn, service, type } = asked;
  const { kid } = signedIn;
  const body = valueFromJson(JSON.parse(asked.body) as unknown, text("sign.body"));
  const sealed = await newestOf(service, kid);
  const { bytes, seq } = await signNext(network.genesis, { service, type, body, sealed });
  showToken(await tokenOf(signedIn.holder, network.genesis));
  await ask(submitRecord, { parameters: {}, body: bytes });
  return { service, kid, seq };
}

/** Until it is sealed. */
async function follow({ service, kid, seq }: Place, tell: (outcome: Outcome) => void): Promise<void> {
  const address = `#/records/${service}/${kid}/${seq}`;
  tell({ said: text("sign.taken", { seq }) });
  for (let tries = 0; tries < SEALED_TRIES; tries += 1) {
    await pause(1_000);
    const answer = await askBytes(receiptShape, { parameters: { service, meter: kid, seq } }).catch(
      (error: unknown) => {
        if (error instanceof Refusal) return undefined;
        throw error;
      },
    );
    if (answer !== undefined) return tell({ said: text("sign.sealed", { seq }), address });
  }
  tell({ said: text("sign.waits", { seq }), address });
}

/** The newest sealed operation of this key; undefined where there is none. */
async function newestOf(service: number, kid: string) {
  const bytes = await askBytes(holders, { parameters: { service }, query: { from: kid, limit: 1 } });
  const [holder] = itemsIn(bytes, { size: HOLDER_ROW_BYTES_MAX, items: 8 }).map(decodeHolderRow);
  if (holder === undefined || toHex(holder.kid) !== kid) return undefined;
  const query = { from: holder.high, limit: 1 };
  const rows = await askBytes(sealedRecords, { parameters: { service, meter: kid }, query });
  const [row] = itemsIn(rows, { size: OPERATION_BYTES_MAX + 128, items: 8 }).map(decodeRecordRow);
  return row === undefined ? undefined : { seq: row.seq, hash: row.hash };
}
