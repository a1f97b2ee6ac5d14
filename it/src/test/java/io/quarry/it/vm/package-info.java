/**
 * The lab: virtual machines with a kernel of their own, whose power, time and network tests take
 * away.
 */
@NullMarked
package io.quarry.it.vm;

import org.jspecify.annotations.NullMarked;
