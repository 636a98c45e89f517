import { boundMutants } from "../../../../tools/lab/simulation/mutants/bound-mutants.js";
import { budgetMutants } from "../../../../tools/lab/simulation/mutants/budget-mutants.js";
import { damageMutants } from "../../../../tools/lab/simulation/mutants/damage-mutants.js";
import { meterMutants } from "../../../../tools/lab/simulation/mutants/meter-mutants.js";
import { operationMutants } from "../../../../tools/lab/simulation/mutants/operation-mutants.js";
import { catchEach } from "./catching.js";

catchEach(boundMutants);
catchEach(budgetMutants);
catchEach(damageMutants);
catchEach(meterMutants);
catchEach(operationMutants);
