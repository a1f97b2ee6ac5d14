package io.quarry.common.api;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connected repository as the answering agent sees it.
 *
 * @param capacityBytes size of the storage; −1 when the storage does not answer
 * @param freeBytes free space of the storage; −1 when the storage does not answer
 * @param usedBytes allocated to the repository's volumes at the last measurement, usually seconds
 *     ago; −1 before the first one
 * @param largestImageBytes the largest image that a file of the storage can hold; null when the
 *     agent is too old to tell
 * @param frozenFiles how the files of snapshots are protected: {@code readOnly}, {@code immutable},
 *     or {@code unprotected} by a filesystem without modes; null when the agent is too old to tell
 * @param writersSeen the hosts whose writers the agent sees by their file locks: {@code thisHost},
 *     or {@code none} on block devices; null when the agent is too old to tell
 * @param sdmHostId the host elected to commit metadata; null during an election
 * @param images visible images by state ({@code optimized}, {@code degraded}, {@code broken}), and
 *     {@code hidden} ones
 * @param fixes outstanding fixes: queued, running, waiting or parked
 * @param health {@code ok}, {@code unresponsive}, {@code damaged}, {@code agentTooOld}, {@code
 *     otherStorage}, {@code readOnly}, {@code forbidden} or {@code failing}
 * @param healthReason what is wrong, with the name of the file if there is one
 * @param commit the last commit this agent knows of
 * @param connection {@code configured}, {@code persistent} or {@code transient}: what connects the
 *     repository when the agent starts
 * @param features of the log, beyond the first version
 * @param dueFeatures the features that {@code upgradeStorageRepository} would add
 */
public record RepositoryInfo(
    String repoId,
    String repoFormat,
    Map<String, String> connectionParameters,
    long capacityBytes,
    long freeBytes,
    long usedBytes,
    @Nullable Long largestImageBytes,
    @Nullable String frozenFiles,
    @Nullable String writersSeen,
    @Nullable String sdmHostId,
    Map<String, Integer> images,
    int fixes,
    String health,
    @Nullable String healthReason,
    long commit,
    String connection,
    List<String> features,
    List<String> dueFeatures) {
  public RepositoryInfo {
    connectionParameters = Map.copyOf(connectionParameters);
    images = Map.copyOf(images);
    features = features == null ? List.of() : List.copyOf(features);
    dueFeatures = dueFeatures == null ? List.of() : List.copyOf(dueFeatures);
  }
}
