// Makes every call of @segment/analytics-node once: deno run … calls.js WRITE_KEY URL
import { Analytics } from "@segment/analytics-node";

const [writeKey, host] = Deno.args;
const analytics = new Analytics({ writeKey, host, path: "/v1/batch", maxRetries: 2 });
const errors = [];
analytics.on("error", (error) => errors.push(error));

const userId = "user-7";
analytics.identify({ userId, anonymousId: "anon-7", traits: { email: "ada@example.com", plan: "pro" } });
analytics.track({
  userId,
  event: "Order Completed",
  properties: { revenue: 12.5, items: [1, 2], note: "Grüße" },
});
analytics.page({ userId, category: "Docs", name: "Start", properties: { url: "https://example.com/start" } });
analytics.screen({ userId, category: "Shop", name: "Cart", properties: { count: 3 } });
analytics.group({ userId, groupId: "group-1", traits: { name: "Acme" } });
analytics.alias({ previousId: "anon-7", userId });
await analytics.closeAndFlush();
if (errors.length) {
  console.error("the client gave up:", errors);
  Deno.exit(1);
}
