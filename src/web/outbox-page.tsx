/** `/outbox`: what has not been said yet, and why. */
import { SIGNS } from "../chat/reply.ts";
import type { OutboxRoomState, OutboxState } from "../queue/outbox-rooms.ts";
import { formatAge } from "../units.ts";
import { Page, Time } from "./pages.tsx";

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

export const OutboxPage = ({ rooms, dropped, now, version }: OutboxState & { now: Date; version: string }) => (
  <Page title={titleOf(rooms)} version={version} live={rooms.length > 0}>
    <h1>Outbox</h1>
    {rooms.length === 0 ? (
      <p>Nothing waits: every room has been told all there is to tell.</p>
    ) : (
      <table>
        <thead>
          <tr>
            <th>Room</th>
            <th>State</th>
            <th class="number">Waiting</th>
            <th class="number">Oldest</th>
            <th class="number">Tries</th>
            <th>Why</th>
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
              <th>When</th>
              <th>Room</th>
              <th>What</th>
              <th>Why</th>
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
