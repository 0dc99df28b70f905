/** What was asked for over this process's chats, and nothing that would grow for ever. */
import { expect, test } from "vitest";
import { createAskedHere } from "../../src/builds/asked-here.ts";
import { NetworkName } from "../../src/names.ts";
import { ADA, openRecords } from "../support/records.ts";

test("builds of a chat are told as they are now; those of pushes and nights, and all but the newest, are not kept", async () => {
  await using records = await openRecords();
  const asked = createAskedHere(records.store, (network) => network === "fake", 2);
  const create = async (network: string) => {
    const build = await records.create("hello", { requester: { ...ADA, network: NetworkName.parse(network) } });
    asked.note(build);
    return build;
  };
  const states = async (network: string) =>
    (await asked.from(network)).map(({ number, state }) => [number, state.kind]);
  expect(await states("fake")).toEqual([]);
  await create("fake");
  await create("triggers");
  const third = await create("fake");
  expect(await states("fake")).toEqual([
    [1, "queued"],
    [3, "queued"],
  ]);
  await records.begin(third);
  await create("fake");
  expect(await states("fake")).toEqual([
    [3, "running"],
    [4, "queued"],
  ]);
  expect(await states("triggers")).toEqual([]);
});
