// SPDX-License-Identifier: Apache-2.0
// The fixed parts of the page, of the files page.css and page.js.
#pragma once

namespace history {

extern const char k_page_style[];
extern const char k_page_script[];

}  // namespace history
