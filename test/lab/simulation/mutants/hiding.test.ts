import { hidingMutants } from "../../../../tools/lab/simulation/mutants/hiding-mutants.js";
import { catchEach } from "./catching.js";

catchEach(hidingMutants);
