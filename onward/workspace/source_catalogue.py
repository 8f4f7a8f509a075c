"""The catalogue of sources: what can send events here. Ids and slugs are Segment's (spec §8.6)."""

from dataclasses import dataclass
from typing import Literal

from onward.workspace.errors import Invalid

Category = Literal["Website", "Mobile", "Server", "Ott"]


@dataclass(frozen=True)
class SourceDefinition:
    id: str
    slug: str
    name: str
    category: Category
    description: str


_ALL = (
    SourceDefinition(
        "iUM16Md8P2", "http-api", "HTTP API", "Server", "Any program that can make HTTP requests."
    ),
    SourceDefinition(
        "7XqN9rJQOG", "pixel-tracking-api", "Pixel Tracking API", "Server", "Events as image requests."
    ),
    SourceDefinition("IqDTy1TpoU", "javascript", "Javascript", "Website", "Websites, with analytics.js."),
    SourceDefinition("U9mT0bPcI6", "node-js", "Node.js", "Server", "Node.js, with @segment/analytics-node."),
    SourceDefinition("XRksQPCr7X", "python", "Python", "Server", "Python, with segment-analytics-python."),
    SourceDefinition("yBvi77aEwr", "go", "Go", "Server", "Go, with analytics-go."),
    SourceDefinition("V6ynUvQgbc", "java", "Java", "Server", "Java, with analytics-java."),
    SourceDefinition("aACTBqIbWT", "ruby", "Ruby", "Server", "Ruby, with analytics-ruby."),
    SourceDefinition("TDO70If4mD", "php", "PHP", "Server", "PHP, with analytics-php."),
    SourceDefinition("8HWbgPTt3k", "net", ".NET", "Server", ".NET, with Analytics-CSharp."),
    SourceDefinition("B6L7qzHmhI", "clojure", "Clojure", "Server", "Clojure, with analytics-clj."),
    SourceDefinition("yMu7LRR59b", "kotlin", "Kotlin", "Server", "Kotlin on the JVM, with analytics-kotlin."),
    SourceDefinition(
        "dZeHygTSD4", "apple", "Apple", "Mobile", "iOS, macOS, tvOS and watchOS, with analytics-swift."
    ),
    SourceDefinition(
        "9EMcTqiKok", "kotlin-android", "Kotlin (Android)", "Mobile", "Android, with analytics-kotlin."
    ),
    SourceDefinition("B0X0QmvMny", "react-native", "React Native", "Mobile", "React Native apps."),
    SourceDefinition("CvYws1p1ZA", "flutter", "Flutter", "Mobile", "Flutter apps."),
    SourceDefinition("4zkHfaSKI8", "unity", "Unity", "Mobile", "Unity games, with Analytics-CSharp."),
    SourceDefinition("wcssVcPJrc", "xamarin", "Xamarin", "Mobile", "Xamarin apps, with Analytics-CSharp."),
    SourceDefinition("BbupS2SB0b", "roku", "Roku (alpha)", "Ott", "Roku channels, with analytics-roku."),
)

SOURCES = {definition.slug: definition for definition in _ALL}
"""Source definitions by slug."""

_BY_ID = {definition.id: definition for definition in _ALL}


def source_definition(key: str) -> SourceDefinition:
    """By slug or id; raises `Invalid`."""
    found = SOURCES.get(key) or _BY_ID.get(key)
    if found is None:
        raise Invalid(f"the catalogue has no source {key}; there are: {', '.join(SOURCES)}", field="kind")
    return found
