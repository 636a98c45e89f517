// Every page but the first ones: each is loaded when somebody goes there, so that the first page stays small.

import type { ComponentType } from "preact";
import { Shown, useAsked } from "../parts/asked.js";
import { addTexts, text } from "../texts.js";
import type { PageProps } from "./page-props.js";

type Page = ComponentType<PageProps>;

const loadView = async () => (await import("./views.js")).ViewPage;
const loaders: Readonly<Record<string, () => Promise<Page>>> = {
  ...{ community: loadView, market: loadView, grid: loadView, credit: loadView, access: loadView, studies: loadView },
  meters: async () => (await import("./meters.js")).MetersPage,
  violations: async () => (await import("./violations.js")).ViolationsPage,
  contracts: async () => (await import("./contracts.js")).ContractsPage,
  state: async () => (await import("./state.js")).StatePage,
  energy: async () => (await import("./energy.js")).EnergyPage,
  bills: async () => (await import("./bills.js")).BillsPage,
  replay: async () => (await import("./replay.js")).ReplayPage,
  orders: async () => (await import("./orders.js")).OrdersPage,
  health: async () => (await import("./health.js")).HealthPage,
  sign: async () => (await import("./sign.js")).SignPage,
  flash: async () => (await import("./flash.js")).FlashPage,
  search: async () => (await import("./search.js")).SearchPage,
};

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
  const load = loaders[props.place.page];
  const asked = useAsked(async () => {
    if (load === undefined) return undefined;
    const [page, { pageTexts }] = await Promise.all([load(), import("../texts/pages.js")]);
    addTexts(pageTexts);
    return page;
  }, [load]);
  if (load === undefined) return <p>{text("page.unknown")}</p>;
  return <Shown asked={asked}>{(Page) => Page !== undefined && <Page {...props} />}</Shown>;
}
