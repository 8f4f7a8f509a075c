"""User agents of all kinds: some real ones, and what others are made up of."""

from typing import Final

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

SAMPLES: Final = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_2 like Mac OS X) {_APPLE} Version/18.3.1 "
    "Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) {_APPLE} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE} Version/18.3 Safari/605.1.15",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/134.0.0.0 Safari/537.36 Edg/134.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:136.0) Gecko/20100101 Firefox/136.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/134.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {_WEBKIT} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile "
    "Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001; wv) {_WEBKIT} Version/4.0 "
    "Chrome/119.0.6045.66 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/440.0.0.33.116;]",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/134.0.0.0 Safari/537.36 OPR/119.0.0.0",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/538.1 (KHTML, like Gecko) Version/5.0 Safari/538.1",
    f"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) {_APPLE} Version/13.0 Safari/605.1.15",
    "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372 Mobile "
    "Safari/537.10+",
    "MyApp/3.1 CFNetwork/1494.0.7 Darwin/23.4.0",
    "okhttp/4.12.0",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "",
)

SYSTEMS: Final = (
    *("Linux; Android 13; ", "Linux; U; Android 4.4.2; en-us; ", "Linux; Android 9.0; ", "Windows NT 10.0; "),
    *("iPhone; CPU iPhone OS 17_5 like Mac OS X; ", "X11; Ubuntu; Linux x86_64; ", "Windows Phone 10.0; "),
    *(
        "Macintosh; Intel Mac OS X 10.15; ",
        "Mobile; rv:48.0; ",
        "Tizen 3.0; ",
        "X11; FreeBSD amd64; ",
        "Web0S; ",
    ),
    *("X11; SunOS i86pc; ", "Symbian/3; Series60/5.2; ", "Android 10; HarmonyOS; ", "Xbox; Xbox One; ", ""),
)
MODELS: Final = (
    *("SM-T510", "SM-G991B", "GT-P5110", "SAMSUNG SM-A515F", "Nexus 7", "Nexus 5X", "Pixel 6 Pro", "Pixel C"),
    *("HUAWEI VOG-L29", "AGS2-W09", "ELE-L09", "HONOR 8X", "Redmi Note 8", "MI 9", "Mi Pad 4", "POCO F2 Pro"),
    *(
        "HM NOTE 1LTE",
        "CPH2219",
        "vivo 1906",
        "V2031A",
        "RMX2001",
        "moto g(7) power",
        "XT1068",
        "MZ601",
        "LM-X420",
    ),
    *(
        "LG-H870",
        "VK810",
        "Lenovo TB-X304F",
        "IdeaTab A1000",
        "Nokia_XL",
        "Lumia 950",
        "G8341",
        "SO-02L",
        "SGP712",
    ),
    *("IN2025", "ONEPLUS A6003", "KFTHWI", "KFAUWI", "AFTS", "SD4930UR", "BBF100-1", "ASUS_Z012D", "P00C"),
    *(
        "HTC_One_M8",
        "ZTE Blade A5",
        "Alcatel_5044R",
        "A1-810",
        "M5 Note",
        "SH-M08",
        "Surface Duo",
        "FP3",
        "K88",
    ),
    *("RCT6203W46", "Venue 8", "QMV7A", "BNTV600", "TM800W610L", "NX531J", "TC75", "SHIELD Tablet", "SHIELD"),
    *(
        "BRAVIA 4K GB",
        "MiTV-MSSP1",
        "AQUOS-TVX19B",
        "Glass 1",
        "Quest 2",
        "ACME Phone_1",
        "tablet",
        "K",
        "Jolla",
    ),
)
TAILS: Final = (
    f"{_WEBKIT} Chrome/119.0.6045.66 Mobile Safari/537.36",
    f"{_WEBKIT} Chrome/119.0.6045.66 Safari/537.36",
    f"{_WEBKIT} Silk/112.4.1 like Chrome/112.0.5615.213 Safari/537.36",
    f"{_WEBKIT} Version/4.0 Chrome/30.0.0.0 Mobile Safari/537.36",
    "AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
    "AppleWebKit/125.2 (KHTML, like Gecko) Safari/125.8",
    f"{_WEBKIT} CrKey/1.54.250320",
    f"{_WEBKIT} Electron/25.3.1 Safari/537.36",
    f"{_WEBKIT} HeadlessChrome/119.0.0.0 Safari/537.36",
    f"{_WEBKIT} Chrome/119.0.0.0 YaBrowser/23.9 Safari/537.36",
    f"{_WEBKIT} Chrome/119.0 Mobile Safari/537.36 MicroMessenger/8.0.42",
    "Gecko/119.0 Firefox/119.0",
    "Gecko/20100101 Firefox/91.0 SeaMonkey/2.53.18",
    "Trident/7.0; rv:11.0) like Gecko",
    "UCBrowser/13.4.0.1306 Mobile",
    "[LinkedInApp]/9.29 Instagram 309.1",
    "OPR/73.2 GSA/280.0 Mobile Safari/604.1",
    "HbbTV/1.2.1 (+DRM;Samsung;SmartTV2015; ;)",
    "DuckDuckGo/5 Focus/8.0 Mobile",
    "",
)
