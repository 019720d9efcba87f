// The front door hands on what a poster's code carried after the #: the house or the plan that a page is held against. Never sent.
"use strict";
if (/^#h=[0-9a-f]{32}$/.test(location.hash)) {
  for (const link of document.querySelectorAll("a[href^='/concern']")) link.setAttribute("href", link.getAttribute("href") + location.hash);
}
