/** A button that changes something: a form of its own, which works without scripts, for those who may. */
import type { Child } from "hono/jsx";
import type { Role } from "../../config.ts";
import { mayDo, type Visitor } from "../login/visitor.ts";

/** The field in which a form shows that a page of ours made it. */
export const TOKEN_FIELD = "token";

interface ActionFormProps {
  /** `visitorOf(c)`; nothing is shown to who is not logged in or may not. */
  readonly visitor: Visitor | undefined;
  /** Where it is sent, by POST: `/builds/43/cancel`. */
  readonly action: string;
  /** What stands on the button. */
  readonly label: string;
  /** How the button looks. */
  readonly look?: "main" | "danger";
  /** The role it takes. */
  readonly role?: Role;
  /** What it sends besides, unseen. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Labelled inputs, which stand before the button. */
  readonly children?: Child;
}

export const ActionForm = (props: ActionFormProps) => {
  const { visitor, action, label, look, role = "developer", fields = {}, children } = props;
  if (visitor === undefined || !mayDo(visitor, role)) return null;
  return (
    <form method="post" action={action} class="row action">
      <input type="hidden" name={TOKEN_FIELD} value={visitor.formToken} />
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      {children}
      <button type="submit" class={look}>
        {label}
      </button>
    </form>
  );
};
