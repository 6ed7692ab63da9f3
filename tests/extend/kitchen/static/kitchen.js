window.kitchen = true;
