import { coreMutants } from "../../../../tools/lab/simulation/mutants/mutants.js";
import { catchEach } from "./catching.js";

catchEach(coreMutants);
