/** How to send the first event from each kind of source, with its write key filled in. */

export interface Snippet {
  label: string;
  /** Gets the library, in a terminal. */
  install?: string;
  code: string;
  /** Where the code goes, or how it is run. */
  then?: string;
}

const EVENT = { userId: "ada", event: "Order Completed", properties: { revenue: 42 } };

/** The one for the source's kind first, then one that anybody can run. */
export function snippets(kind: string, writeKey: string, url: string): Snippet[] {
  const own = OF[kind]?.(writeKey, url);
  return [...(own ?? []), curl(writeKey, url)];
}

function curl(key: string, url: string): Snippet {
  return {
    label: "curl",
    code: `curl -u ${key}: ${url}/v1/track \\\n  -H 'content-type: application/json' \\\n  -d '${
      JSON.stringify(EVENT)
    }'`,
    then: "In a terminal.",
  };
}

type Write = (key: string, url: string) => Snippet[];

const host = (url: string) => `${new URL(url).host}/v1`;

const kotlin: Write = (key, url) => [{
  label: "Kotlin",
  code: `val analytics = Analytics("${key}") {
    apiHost = "${host(url)}"
    cdnHost = "${host(url)}"
}
analytics.track("Order Completed", buildJsonObject { put("revenue", 42) })`,
}];

const csharp: Write = (key, url) => [{
  label: "C#",
  install: "dotnet add package Segment.Analytics.CSharp",
  code: `var analytics = new Analytics(new Configuration("${key}",
    apiHost: "${host(url)}", cdnHost: "${host(url)}"));
analytics.Track("Order Completed", new JsonObject { ["revenue"] = 42 });`,
}];

const OF: Record<string, Write> = {
  "javascript": (key, url) => [{
    label: "npm",
    install: "npm install @segment/analytics-next",
    then: "Where your pages load their scripts.",
    code: `import { AnalyticsBrowser } from "@segment/analytics-next";

export const analytics = AnalyticsBrowser.load({
  writeKey: "${key}",
  cdnURL: "${url}",
});
analytics.page();`,
  }],
  "node-js": (key, url) => [{
    label: "Node.js",
    install: "npm install @segment/analytics-node",
    then: "Save it as first-event.mjs, then: node first-event.mjs",
    code: `import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({
  writeKey: "${key}",
  host: "${url}",
});
analytics.track({
  userId: "ada",
  event: "Order Completed",
  properties: { revenue: 42 },
});
await analytics.closeAndFlush();`,
  }],
  "python": (key, url) => [{
    label: "Python",
    install: "pip install segment-analytics-python",
    then: "Save it as first_event.py, then: python first_event.py",
    code: `from segment.analytics import Client

analytics = Client("${key}", host="${url}")
analytics.track("ada", "Order Completed", {"revenue": 42})
analytics.flush()`,
  }],
  "go": (key, url) => [{
    label: "Go",
    install: "go get github.com/segmentio/analytics-go/v3",
    code: `client, _ := analytics.NewWithConfig("${key}", analytics.Config{Endpoint: "${url}"})
defer client.Close()
client.Enqueue(analytics.Track{
    UserId: "ada", Event: "Order Completed", Properties: analytics.NewProperties().SetRevenue(42),
})`,
  }],
  "java": (key, url) => [{
    label: "Java",
    code: `Analytics analytics = Analytics.builder("${key}").endpoint("${url}").build();
analytics.enqueue(TrackMessage.builder("Order Completed")
    .userId("ada").properties(Map.of("revenue", 42)));`,
  }],
  "ruby": (key, url) => [{
    label: "Ruby",
    install: "gem install analytics-ruby",
    code: `analytics = Segment::Analytics.new(write_key: "${key}", host: "${new URL(url).hostname}",
  port: ${new URL(url).port || (url.startsWith("https") ? 443 : 80)}, ssl: ${url.startsWith("https")})
analytics.track(user_id: "ada", event: "Order Completed", properties: { revenue: 42 })
analytics.flush`,
  }],
  "php": (key, url) => [{
    label: "PHP",
    install: "composer require segmentio/analytics-php",
    code: `Segment::init("${key}", ["host" => "${new URL(url).host}", "ssl" => ${url.startsWith("https")}]);
Segment::track(["userId" => "ada", "event" => "Order Completed", "properties" => ["revenue" => 42]]);
Segment::flush();`,
  }],
  "kotlin": kotlin,
  "kotlin-android": kotlin,
  "net": csharp,
  "unity": csharp,
  "xamarin": csharp,
  "apple": (key, url) => [{
    label: "Swift",
    code: `let analytics = Analytics(configuration: Configuration(writeKey: "${key}")
    .apiHost("${host(url)}").cdnHost("${host(url)}"))
analytics.track(name: "Order Completed", properties: ["revenue": 42])`,
  }],
  "react-native": (key, url) => [{
    label: "React Native",
    install: "npm install @segment/analytics-react-native",
    code: `const analytics = createClient({
  writeKey: "${key}", proxy: "${url}/v1/b", cdnProxy: "${url}/v1/projects",
});
analytics.track("Order Completed", { revenue: 42 });`,
  }],
  "flutter": (key, url) => [{
    label: "Flutter",
    install: "flutter pub add segment_analytics",
    code: `final analytics = createClient(Configuration("${key}",
    apiHost: "${host(url)}", cdnHost: "${host(url)}"));
analytics.track("Order Completed", properties: {"revenue": 42});`,
  }],
  "pixel-tracking-api": (key, url) => [{
    label: "HTML",
    then: "In a page or an e-mail.",
    code: `<img src="${url}/v1/pixel/track?writeKey=${key}&userId=ada&event=Email+Opened" alt="">`,
  }],
};
