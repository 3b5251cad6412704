import "./styles.css";
import { render } from "solid-js/web";
import { App } from "./components/App.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");
render(() => <App pathname={location.pathname} />, root);

// A page that the browser kept, and brings back as it was, may show somebody who has signed out since.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
