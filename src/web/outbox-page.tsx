/** `/outbox`: what has not been said yet, and why. */
import { SIGNS } from "../chat/reply.ts";
import type { OutboxRoomState, OutboxState } from "../queue/outbox-rooms.ts";
import { formatAge } from "../units.ts";
import { type Bar, Page, Time } from "./shell.tsx";

/** What a row of browser tabs shows: `▲ outbox: 2 stuck`, `outbox: nothing waits`. */
function titleOf(rooms: readonly OutboxRoomState[]): string {
  const stuck = rooms.filter((room) => room.stuck).length;
  if (stuck > 0) return `${SIGNS.errored} outbox: ${stuck} stuck`;
  return rooms.length === 0 ? "outbox: nothing waits" : `${SIGNS.queued} outbox: ${rooms.length} on the way`;
}

const Room = ({ room, now }: { room: OutboxRoomState; now: Date }) => (
  <tr>
    <th scope="row">
      {room.network}/{room.room}
    </th>
    <td>
      <span class={`state ${room.stuck ? "errored" : "queued"}`}>
        {room.stuck ? `${SIGNS.errored} stuck` : `${SIGNS.queued} on the way`}
      </span>
    </td>
    <td class="number" data-label="waiting">
      {room.waiting}
    </td>
    <td class="number" data-label="oldest">
      {room.oldestAt === undefined ? "" : formatAge(now.getTime() - Date.parse(room.oldestAt))}
    </td>
    <td class="number" data-label="tries">
      {room.tries}
    </td>
    <td class="wide">{room.reason ?? ""}</td>
  </tr>
);

export const OutboxPage = ({ rooms, dropped, now, bar }: OutboxState & { now: Date; bar: Bar }) => (
  <Page title={titleOf(rooms)} bar={bar} area="/outbox" live={rooms.length > 0} scripts={["refresh"]}>
    <h1>Outbox</h1>
    <div id="outbox" data-live>
      {rooms.length === 0 ? (
        <p>Nothing waits: every room has been told all there is to tell.</p>
      ) : (
        <div class="scroll">
          <table class="stack">
            <thead>
              <tr>
                <th scope="col">Room</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Waiting
                </th>
                <th scope="col" class="number">
                  Oldest
                </th>
                <th scope="col" class="number">
                  Tries
                </th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {rooms.map((room) => (
                <Room room={room} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {dropped.length === 0 ? null : (
        <>
          <h2>Given up</h2>
          <div class="scroll">
            <table class="stack">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Room</th>
                  <th scope="col">What</th>
                  <th scope="col">Why</th>
                </tr>
              </thead>
              <tbody>
                {dropped.map((note) => (
                  <tr>
                    <td>
                      <Time at={note.at} />
                    </td>
                    <td>
                      {note.network}/{note.room}
                    </td>
                    <td>{note.id}</td>
                    <td class="wide">{note.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </div>
  </Page>
);
