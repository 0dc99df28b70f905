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
    <td>
      {room.network}/{room.room}
    </td>
    <td>
      <span class={`state ${room.stuck ? "errored" : "queued"}`}>
        {room.stuck ? `${SIGNS.errored} stuck` : `${SIGNS.queued} on the way`}
      </span>
    </td>
    <td class="number">{room.waiting}</td>
    <td class="number">{room.oldestAt === undefined ? "" : formatAge(now.getTime() - Date.parse(room.oldestAt))}</td>
    <td class="number">{room.tries}</td>
    <td>{room.reason ?? ""}</td>
  </tr>
);

export const OutboxPage = ({ rooms, dropped, now, bar }: OutboxState & { now: Date; bar: Bar }) => (
  <Page title={titleOf(rooms)} bar={bar} live={rooms.length > 0}>
    <h1>Outbox</h1>
    {rooms.length === 0 ? (
      <p>Nothing waits: every room has been told all there is to tell.</p>
    ) : (
      <table>
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
    )}
    {dropped.length === 0 ? null : (
      <>
        <h2>Given up</h2>
        <table>
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
                <td>{note.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </>
    )}
  </Page>
);
