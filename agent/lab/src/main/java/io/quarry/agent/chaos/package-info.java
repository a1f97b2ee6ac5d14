/** A cluster under faults that a seed decides, customers whose calls are recorded, and a judge. */
@NullMarked
package io.quarry.agent.chaos;

import org.jspecify.annotations.NullMarked;
