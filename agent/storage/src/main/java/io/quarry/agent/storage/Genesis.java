package io.quarry.agent.storage;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quarry.coordinator.plan.Feature;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The record that makes an empty storage a repository: written once. In a directory it is the
 * content of {@code repository.json}.
 *
 * @param format for example {@code localfs-1.0}
 * @param version of the layout and of the log's records
 * @param key names the repository across the cluster; callers never type it
 * @param fixSecret the secret with which agents sign the opaque data of fixes
 * @param features that the log has from its first term on; none before version 2
 * @param owner the number of the user that files belong to; null where each host chooses
 * @param group the number of the group that volumes belong to; null where each host chooses
 * @param blocks how the log lies on a block device; null for a log in a directory
 */
public record Genesis(
    String format,
    int version,
    String key,
    Instant createdAt,
    String fixSecret,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Feature> features,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer owner,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer group,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Blocks blocks) {
  public static final String FILE = "repository.json";

  /**
   * The version that this program writes. An agent of version 1 does not know features, and refuses
   * version 2.
   */
  public static final int VERSION = 2;

  /** The first version that this program reads. */
  public static final int OLDEST_VERSION = 1;

  /**
   * @param ringBytes the length of a host's ring; a device that grows does not move the rings
   * @param slots how many hosts may write to the log
   */
  public record Blocks(long ringBytes, int slots) {}

  public Genesis(
      String format,
      int version,
      String key,
      Instant createdAt,
      String fixSecret,
      @Nullable List<Feature> features,
      @Nullable Integer owner,
      @Nullable Integer group,
      @Nullable Blocks blocks) {
    this.format = format;
    this.version = version;
    this.key = key;
    this.createdAt = createdAt;
    this.fixSecret = fixSecret;
    this.features = features == null ? List.of() : List.copyOf(features);
    this.owner = owner;
    this.group = group;
    this.blocks = blocks;
  }

  /** The same repository under another key, with another secret. */
  public Genesis withKey(String newKey, String newSecret) {
    return new Genesis(
        format, version, newKey, createdAt, newSecret, features, owner, group, blocks);
  }

  /** The same repository with files of that user and that group. */
  public Genesis withOwners(int newOwner, int newGroup) {
    return new Genesis(
        format, version, key, createdAt, fixSecret, features, newOwner, newGroup, blocks);
  }

  /** The same repository with one feature more. */
  public Genesis with(Feature feature) {
    List<Feature> more = Stream.concat(features.stream(), Stream.of(feature)).toList();
    return new Genesis(format, version, key, createdAt, fixSecret, more, owner, group, blocks);
  }

  /** The same repository with its log on a block device. */
  public Genesis on(Blocks newBlocks) {
    return new Genesis(
        format, version, key, createdAt, fixSecret, features, owner, group, newBlocks);
  }
}
