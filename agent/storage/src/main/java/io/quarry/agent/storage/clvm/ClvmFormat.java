package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** Two logical volumes of a volume group that all hosts reach. */
public final class ClvmFormat implements RepositoryFormat {
  private final ClvmConnection connection;

  /**
   * @param stateDirectory of the agent
   * @param hostKey sixteen bytes that no other host has, as hexadecimal digits
   * @param spawner starts the programs of LVM
   */
  public ClvmFormat(Path stateDirectory, String hostKey, Spawner spawner) {
    this.connection = new ClvmConnection(spawner, stateDirectory, hostKey);
  }

  @Override
  public String name() {
    return ClvmConnection.FORMAT;
  }

  @Override
  public void checkParameters(Map<String, String> parameters) {
    var _ = ClvmParameters.of(parameters);
  }

  @Override
  public Duration connectMax() {
    return ClvmConnection.DEADLINE.multipliedBy(2);
  }

  @Override
  public ClvmStorage connect(Map<String, String> parameters, boolean create, String writer) {
    return connection.storage(ClvmParameters.of(parameters), create);
  }

  /** The key of the log's volume is in each block of the log. */
  @Override
  public void rekey(Map<String, String> parameters) {
    throw new StorageException(
        ErrorCode.REPOSITORY_UNUSABLE,
        "a copy of logical volumes cannot become a repository of its own yet",
        ClvmParameters.of(parameters).vg(),
        "copy the images into a new repository");
  }
}
