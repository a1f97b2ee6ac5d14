/**
 * A repository connected on this host: its replica, its SDM candidate, its fix queue, and the way
 * of a request to whichever host commits.
 */
@NullMarked
package io.quarry.agent.repository;

import org.jspecify.annotations.NullMarked;
