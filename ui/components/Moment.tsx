/** A day as the reader's language writes it, and the exact moment behind it. */
export function Moment(props: { at: string }) {
  const date = () => new Date(props.at);
  return (
    <time datetime={props.at} title={date().toLocaleString()}>
      {date().toLocaleDateString(undefined, { dateStyle: "medium" })}
    </time>
  );
}
