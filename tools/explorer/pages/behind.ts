// The pages behind the first ones, by the names that addresses have for them.

import { BillsPage } from "./bills.js";
import { ContractsPage } from "./contracts.js";
import { EnergyPage } from "./energy.js";
import { HealthPage } from "./health.js";
import { MetersPage } from "./meters.js";
import { OrdersPage } from "./orders.js";
import type { Page } from "./page-props.js";
import { ReplayPage } from "./replay.js";
import { SearchPage } from "./search.js";
import { SignPage } from "./sign.js";
import { StatePage } from "./state.js";
import { ViewPage } from "./views.js";
import { ViolationsPage } from "./violations.js";

export const pagesBehind: ReadonlyMap<string, Page> = new Map(
  Object.entries({
    ...{ community: ViewPage, market: ViewPage, grid: ViewPage, credit: ViewPage, access: ViewPage, studies: ViewPage },
    ...{ meters: MetersPage, violations: ViolationsPage, contracts: ContractsPage, state: StatePage },
    ...{ energy: EnergyPage, bills: BillsPage, replay: ReplayPage, orders: OrdersPage, health: HealthPage },
    ...{ sign: SignPage, search: SearchPage },
  }),
);
