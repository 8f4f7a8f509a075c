/** Why somebody who came from the identity provider was not let in, and what to do (`?refused=` of the page). */

const WORDS: Record<string, string> = {
  "denied":
    "The identity provider did not let you through, or you went back. Try again, or ask who runs it to " +
    "give you access to Onward.",
  "other-browser":
    "This sign-in was not begun in this browser, or was used already. Begin it here, and finish it in the same window.",
  "too-late": "That took longer than ten minutes. Begin again.",
  "provider":
    "The identity provider gave no answer that can be trusted. Try again; if it stays like this, ask who " +
    "runs this Onward: the server's log says why.",
  "unverified":
    "The identity provider has not verified your email address. Verify it there, then sign in again.",
  "another":
    "Your email address is known here as somebody else at the identity provider. Ask an owner of the " +
    "workspace to remove you and invite you again.",
  "stranger":
    "The identity provider knows you, but this Onward does not. Ask an owner of the workspace to invite " +
    "your email address, then sign in again.",
};

/** Words of ours only: anybody can write an address. */
export function refusal(refused: string | undefined): string | undefined {
  return refused === undefined ? undefined : WORDS[refused];
}
