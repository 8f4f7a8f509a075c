/** Colours, type and measures as Mantine takes them; `theme.css` has what follows from light and dark. */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

/** The one accent: action and selection. */
const teal: MantineColorsTuple = [
  "#e6f5f4",
  "#cfeae8",
  "#a0d6d2",
  "#6ec1bb",
  "#45b0a9",
  "#2ca59d",
  "#14857e",
  "#0b6e69",
  "#095b57",
  "#054744",
]; // deno-fmt-ignore
const gray: MantineColorsTuple = [
  "#fafaf9", "#f4f4f2", "#eaeae7", "#dededa", "#c9c9c4", "#a3a39d", "#7a7a74", "#5a5a55", "#3a3a37", "#1f1f1d",
]; // deno-fmt-ignore
const dark: MantineColorsTuple = [
  "#d9dbdd", "#b4b8bc", "#8f959b", "#646b72", "#454b52", "#31363c", "#24282d", "#1a1d21", "#131518", "#0d0f11",
]; // deno-fmt-ignore

const red: MantineColorsTuple = [
  "#fdebe9", "#fbd5d2", "#f7b3ad", "#ffa79f", "#ff8a80", "#e8554a", "#cf3a30", "#b3261e", "#931d17", "#74150f",
]; // deno-fmt-ignore

export const theme = createTheme({
  primaryColor: "teal",
  primaryShade: 7,
  colors: { teal, gray, dark, red },
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", ui-monospace, monospace',
  headings: { fontFamily: '"Inter Variable", system-ui, sans-serif', fontWeight: "600" },
  defaultRadius: 8,
  radius: { xs: "4px", sm: "6px", md: "8px", lg: "8px", xl: "8px" },
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  lineHeights: { xs: "16px", sm: "20px", md: "20px", lg: "24px", xl: "28px" },
  shadows: {
    xs: "var(--shadow)",
    sm: "var(--shadow)",
    md: "var(--shadow)",
    lg: "var(--shadow)",
    xl: "var(--shadow)",
  },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "sm", h: 32, px: 12 } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    NumberInput: { defaultProps: { size: "sm" } },
    Textarea: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    MultiSelect: { defaultProps: { size: "sm" } },
    TagsInput: { defaultProps: { size: "sm" } },
    Switch: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { openDelay: 300, transitionProps: { duration: 100 } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Modal: { styles: { title: { fontWeight: 600 } }, defaultProps: { closeButtonProps: { "aria-label": "Close" },
        overlayProps: { backgroundOpacity: 0.25 }, transitionProps: { duration: 120 }, centered: true } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" }, transitionProps: { duration: 120 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 }, shadow: "md" } },
    Popover: { defaultProps: { transitionProps: { duration: 80 }, shadow: "md" } },
    Text: { defaultProps: { size: "md" } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#fbfbfa",
    "--mantine-color-text": "#1f1f1d",
    "--mantine-color-dimmed": "#63635d",
    "--mantine-color-placeholder": "#76766f",
    "--mantine-color-anchor": "#0b6e69",
    "--mantine-color-default-border": "#dededa",
    "--mantine-color-error": "#b3261e",
  },
  dark: {
    "--mantine-color-body": "#141618",
    "--mantine-color-text": "#e3e5e7",
    "--mantine-color-dimmed": "#9aa0a6",
    "--mantine-color-placeholder": "#8a9097",
    "--mantine-color-anchor": "#4cc3bb",
    "--mantine-color-default": "#1a1d21",
    "--mantine-color-default-border": "#31363c",
    "--mantine-color-error": "#ff8a80",
  },
});
