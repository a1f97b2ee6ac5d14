/** Commands for a checkout: {@code quarry demo}, {@code dev} and {@code chaos}. */
@NullMarked
package io.quarry.agent.lab;

import org.jspecify.annotations.NullMarked;
