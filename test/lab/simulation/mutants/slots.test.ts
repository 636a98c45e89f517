import { slotMutants } from "../../../../tools/lab/simulation/mutants/slot-mutants.js";
import { catchEach } from "./catching.js";

catchEach(slotMutants);
