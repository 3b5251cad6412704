import "./styles.css";
import { render } from "solid-js/web";
import { App } from "./components/App.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");
render(() => <App pathname={location.pathname} />, root);
