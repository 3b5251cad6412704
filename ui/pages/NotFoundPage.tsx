import { paths } from "../paths.ts";

export function NotFoundPage() {
  return (
    <div class="hero not-found">
      <p class="status" aria-hidden="true">
        404
      </p>
      <h1>Page not found</h1>
      <p class="lede">There is no page at this address.</p>
      <p>
        <a class="button" href={paths.home}>
          Go to the home page
        </a>
      </p>
    </div>
  );
}
