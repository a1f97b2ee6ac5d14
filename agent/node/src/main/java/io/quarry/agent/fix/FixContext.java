package io.quarry.agent.fix;

import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.Repository;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a running fix needs of its agent.
 *
 * @param repositories those connected here, by key
 * @param budget room on the storages for what fixes write
 * @param pace of all copies
 * @param throttle shared by all copies of the host
 * @param spawner starts the tools that a fix needs
 * @param own how this agent's own fixes ended
 * @param runtimeDirectory for sockets
 */
public record FixContext(
    Function<String, Optional<Repository>> repositories,
    PriorWriterProof proof,
    SpaceBudget budget,
    CopyPace pace,
    Throttle throttle,
    Spawner spawner,
    LocalWriters own,
    Path runtimeDirectory,
    InstantSource clock) {}
