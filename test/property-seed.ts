/** Properties draw the same cases in every run, so that no commit fails by chance; FUZZ_SEED draws others. */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: Number(process.env["FUZZ_SEED"] ?? 20_261_127) });
