/** The few Linux calls that the JDK does not offer, made through the foreign function interface. */
@NullMarked
package io.quarry.agent.data.os;

import org.jspecify.annotations.NullMarked;
