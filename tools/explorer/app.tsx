// The frame of all pages: where the reader is, which network this is and what its genesis rests on, live or not, search, language, light.

import { useEffect, useState } from "preact/hooks";
import { toHex } from "../../src/wire/bytes.js";
import { type Connection, followLive } from "./live/live.js";
import { type LiveState, nothingYet } from "./live/strips.js";
import { showToken } from "./network/ask.js";
import { type Network, openNetwork } from "./network/network.js";
import { BlockPage } from "./pages/block.js";
import { ChainsPage } from "./pages/chains.js";
import { LoadedPage, menu } from "./pages/pages.js";
import { ReceiptPage } from "./pages/receipt.js";
import { RecordPage } from "./pages/record.js";
import { Alert } from "./parts/alert.js";
import { Shown, useAsked } from "./parts/asked.js";
import { Boundary } from "./parts/boundary.js";
import { Hash } from "./parts/figures.js";
import { GroundContext, Mark } from "./parts/mark.js";
import { pinnedGenesis, store, storedTheme, themes, useThemeOf } from "./preferences.js";
import { numberOf, type Place, placeOf } from "./route.js";
import { chooseLanguage, type Language, languageNow, languages, type TextKey, text } from "./texts.js";

export function App() {
  const place = usePlace();
  const [language, setLanguage] = useState(languageNow());
  const [session, setSession] = useState(0);
  const asked = useAsked(openNetwork, [session]);
  const change = (next: Language) => {
    chooseLanguage(next);
    store("language", next);
    document.documentElement.lang = next;
    setLanguage(next);
  };
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <>
      <a class="skip" href="#content">
        {text("app.skip")}
      </a>
      <header class="top">
        <a class="name" href="#/chains">
          Gridseal
        </a>
        <nav aria-label={text("app.pages")}>
          {menu.map((page) => (
            <a key={page} href={`#/${page}`} aria-current={place.page === page ? "page" : undefined}>
              {text(`page.${page}` satisfies TextKey)}
            </a>
          ))}
        </nav>
        <SearchForm />
        <Choices language={language} onLanguage={change} />
      </header>
      <main id="content" tabIndex={-1}>
        <p class="promise">{text("app.promise")}</p>
        <Shown asked={asked}>
          {(network) => <Connected network={network} place={place} onToken={() => setSession(session + 1)} />}
        </Shown>
      </main>
    </>
  );
}

interface ConnectedProps {
  readonly network: Network;
  readonly place: Place;
  readonly onToken: () => void;
}

function Connected({ network, place, onToken }: ConnectedProps) {
  const [live, setLive] = useState<LiveState>(nothingYet);
  const [connection, setConnection] = useState<Connection>({ isLive: false });
  useEffect(() => followLive(network, { onState: setLive, onConnection: setConnection }), [network]);
  const needsToken = connection.refusal === "unauthorized" || connection.refusal === "forbidden";
  return (
    <GroundContext.Provider value={toHex(network.genesis.hash)}>
      <GenesisLine network={network} connection={connection} />
      {needsToken && <TokenForm onToken={onToken} />}
      <div class="page">
        <Boundary place={place}>
          <Page network={network} place={place} live={live} />
        </Boundary>
      </div>
      <Legend isOpen={connection.isLive} />
    </GroundContext.Provider>
  );
}

function Page({
  network,
  place,
  live,
}: {
  readonly network: Network;
  readonly place: Place;
  readonly live: LiveState;
}) {
  const { page, parts } = place;
  if (page === "chains" && parts.length === 0) return <ChainsPage live={live} />;
  const [service, height] = [numberOf(parts[0]), numberOf(parts[2])];
  if (page === "chains" && parts[1] === "blocks" && service !== undefined && height !== undefined) {
    return <BlockPage network={network} service={service} height={height} strips={live.strips} />;
  }
  if (page === "receipt") return <ReceiptPage network={network} />;
  const [kid, seq] = [parts[1] ?? "", numberOf(parts[2])];
  if (page === "records" && service !== undefined && /^[0-9a-f]{16}$/.test(kid) && seq !== undefined) {
    return <RecordPage network={network} service={service} kid={kid} seq={seq} />;
  }
  return <LoadedPage key={page} network={network} place={place} live={live} />;
}

function SearchForm() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wanted = String(new FormData(form).get("what") ?? "").trim();
    if (wanted !== "") location.hash = `#/search/${encodeURIComponent(wanted)}`;
  };
  return (
    <search>
      <form class="search" onSubmit={submit}>
        <input
          name="what"
          type="search"
          aria-label={text("app.search")}
          placeholder={text("app.searchHint")}
          autocomplete="off"
          spellcheck={false}
        />
      </form>
    </search>
  );
}

function GenesisLine({ network, connection }: { readonly network: Network; readonly connection: Connection }) {
  const hash = toHex(network.genesis.hash);
  const [pinned, setPinned] = useState(pinnedGenesis());
  const pin = (next: string | undefined) => {
    store("genesis", next);
    setPinned(next);
  };
  const isOther = pinned !== undefined && pinned !== hash;
  return (
    <section class="ground">
      <p>
        {text("app.network", { network: network.genesis.network })} · {text("app.genesis", { hash: "" })}
        <Hash hex={hash} /> <Mark state={isOther ? "wrong" : pinned === hash ? "verified" : "told"} />{" "}
        {pinned === hash && <span>{text("app.genesisPinned")}</span>}{" "}
        {pinned === undefined ? (
          <button type="button" onClick={() => pin(hash)}>
            {text("app.pin")}
          </button>
        ) : (
          <button type="button" onClick={() => pin(undefined)}>
            {text("app.unpin")}
          </button>
        )}
        <span class={`connection ${connection.isLive ? "is-live" : ""}`} role="status">
          {connection.isLive ? text("app.live") : text("app.lost", { reason: connection.reason ?? "…" })}
        </span>
      </p>
      {network.genesis.isTest && <Alert>{text("app.testNetwork")}</Alert>}
      {pinned === undefined && <p class="quiet">{text("app.genesisTold")}</p>}
      {isOther && <Alert isWrong>{text("app.genesisOther")}</Alert>}
    </section>
  );
}

function TokenForm({ onToken }: { readonly onToken: () => void }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    showToken(String(form.get("token")).trim());
    onToken();
  };
  return (
    <form class="token" onSubmit={submit}>
      <p>{text("app.closed")}</p>
      <label>
        {text("app.token")} <input name="token" type="password" autocomplete="off" required />
      </label>
      <button type="submit">{text("app.show")}</button>
    </form>
  );
}

function Legend({ isOpen }: { readonly isOpen: boolean }) {
  return (
    <footer class="legend">
      <p>
        {text("mark.legend")}: <Mark state="verified" /> <Mark state="sealed" /> <Mark state="told" />{" "}
        <Mark state="wrong" /> <Mark state="open" />
      </p>
      {isOpen && <p class="quiet">{text("app.open")}</p>}
    </footer>
  );
}

function Choices({
  language,
  onLanguage,
}: {
  readonly language: Language;
  readonly onLanguage: (to: Language) => void;
}) {
  const [theme, setTheme] = useState(storedTheme());
  const next = themes[(themes.indexOf(theme) + 1) % themes.length]!;
  const turn = () => {
    useThemeOf(next);
    store("theme", next);
    setTheme(next);
  };
  return (
    <div class="choices">
      <label>
        <span class="spoken">{text("app.language")}</span>
        <select value={language} onChange={(event) => onLanguage(event.currentTarget.value as Language)}>
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={turn} title={text("app.theme")} aria-label={text("app.theme")}>
        {theme === "dark" ? "☾" : theme === "light" ? "☀" : "◐"}
      </button>
    </div>
  );
}

function usePlace(): Place {
  const [place, setPlace] = useState(placeOf(location.hash));
  useEffect(() => {
    const move = () => {
      // The link that skips to the content is no place.
      if (location.hash !== "#content") setPlace(placeOf(location.hash));
    };
    addEventListener("hashchange", move);
    return () => removeEventListener("hashchange", move);
  }, []);
  return place;
}
