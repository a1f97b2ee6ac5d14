/**
 * A repository connected on this host: its replica, its SDM candidate, its fix queue, and the way
 * of a request to the SDM.
 */
@NullMarked
package io.quarry.agent.repository;

import org.jspecify.annotations.NullMarked;
