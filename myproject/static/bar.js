// Menus that are opened by a click are closed by one elsewhere, and by Escape. Without this file
// they are closed by a second click.
(() => {
  "use strict";
  const MENUS = "details.bar-menu[open], details.account[open], details.row-menu[open]";

  const closeAll = (but) => {
    for (const menu of document.querySelectorAll(MENUS)) if (menu !== but) menu.open = false;
  };

  document.addEventListener("click", (event) => {
    closeAll(event.target.closest?.(MENUS));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest(MENUS) ?? document.querySelector(MENUS);
    if (!menu) return;
    const inside = menu.contains(document.activeElement);
    closeAll();
    if (inside) menu.querySelector("summary").focus();
  });
  // A menu that the keyboard has left is in the way.
  document.addEventListener("focusin", (event) => {
    closeAll(event.target.closest?.(MENUS));
  });
})();
