// Offers the time zone of the device that somebody sits at. The form works without this file.
(() => {
  "use strict";
  const input = document.querySelector("[name=time_zone]");
  const button = document.querySelector("[data-device-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!input || !button || !zone) return;
  button.textContent = button.textContent.replace("${zone}", zone);
  // Nothing to offer where it is chosen already, or is the site's and nothing is chosen.
  const offer = () => { button.hidden = (input.value.trim() || input.placeholder) === zone; };
  button.addEventListener("click", () => {
    input.value = zone;
    input.focus();
    offer();
  });
  input.addEventListener("input", offer);
  offer();
})();
