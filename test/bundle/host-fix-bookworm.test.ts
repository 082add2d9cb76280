/** Files of their own run side by side. */
import { testFixes } from "../lab/fix-tests.ts";
import { WAYS } from "../lab/fixing.ts";

for (const way of WAYS) if (way.base === "bookworm") testFixes(way);
