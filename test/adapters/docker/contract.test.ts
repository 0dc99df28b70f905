/** Docker passes what every container runtime has to. */
import { connectDocker } from "../../../adapters/docker/index.ts";
import { runtimeContract } from "../../contract/runtime.ts";

runtimeContract("Docker", () => connectDocker(undefined));
