import { render } from "solid-js/web";

render(() => <h1>hi</h1>, document.getElementById("app") as HTMLElement);
