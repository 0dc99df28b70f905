/** Which project a form is about, where it is not known from where the form stands. */
interface ProjectFieldProps {
  readonly names: readonly string[];
  readonly chosen: string | undefined;
}

export const ProjectField = ({ names, chosen }: ProjectFieldProps) => (
  <label>
    Project
    <select name="project" required>
      {names.map((name) => (
        <option value={name} selected={name === chosen}>
          {name}
        </option>
      ))}
    </select>
  </label>
);
