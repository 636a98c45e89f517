// Every page but the first ones: they are loaded together when somebody goes to one, so that the first page stays small. Page by page, what
// some of them share with the first one would be cut into dozens of files, each of which the first page asks for.

import { Shown, useAsked } from "../parts/asked.js";
import { addTexts, text } from "../texts.js";
import type { PageProps } from "./page-props.js";

/** By itself: it brings what talks to chips. */
const loadFlash = async () => (await import("./flash.js")).FlashPage;
const loadBehind = async (page: string) => (await import("./behind.js")).pagesBehind.get(page);

/** In the order of the menu. */
export const menu = [
  "chains",
  "meters",
  "violations",
  "energy",
  "bills",
  "community",
  "market",
  "grid",
  "credit",
  "access",
  "studies",
  "contracts",
  "state",
  "orders",
  "health",
  "receipt",
  "sign",
  "flash",
] as const;

export function LoadedPage(props: PageProps) {
  const { page } = props.place;
  const asked = useAsked(async () => {
    const [found, { pageTexts }] = await Promise.all([
      page === "flash" ? loadFlash() : loadBehind(page),
      import("../texts/pages.js"),
    ]);
    addTexts(pageTexts);
    return { Page: found };
  }, [page]);
  return (
    <Shown asked={asked}>
      {({ Page }) => (Page === undefined ? <p>{text("page.unknown")}</p> : <Page {...props} />)}
    </Shown>
  );
}
