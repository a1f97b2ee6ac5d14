package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Connects a repository on the agent that takes the call.
 *
 * @param repoId the caller's handle on that host
 * @param repoFormat for example {@code localfs-1.0}
 * @param connectionParameters what the format needs; {@code path} for localfs
 * @param adopt the operator's reason why the storage is not the one that the SDM writes to
 * @param persistent whether the agent connects the repository again at its next start
 */
public record ConnectRequest(
    String repoId,
    String repoFormat,
    Map<String, String> connectionParameters,
    @Nullable Adopt adopt,
    boolean persistent) {
  /** Why the storage is not the one that agents know. */
  public enum Adopt {
    /** The storage is a copy of another one, and becomes a repository of its own. */
    @JsonProperty("copy")
    COPY,
    /** The storage was restored from a backup, and takes the place of the newer one. */
    @JsonProperty("restored")
    RESTORED
  }

  public ConnectRequest {
    connectionParameters = Map.copyOf(connectionParameters);
  }

  @JsonCreator
  static ConnectRequest of(
      @JsonProperty("repoId") String repoId,
      @JsonProperty("repoFormat") String repoFormat,
      @JsonProperty("connectionParameters") Map<String, String> connectionParameters,
      @JsonProperty("adopt") @Nullable Adopt adopt,
      @JsonProperty("persistent") @Nullable Boolean persistent) {
    return new ConnectRequest(
        repoId, repoFormat, connectionParameters, adopt, persistent == null || persistent);
  }

  /** A connection that lasts. */
  public ConnectRequest(
      String repoId, String repoFormat, Map<String, String> connectionParameters) {
    this(repoId, repoFormat, connectionParameters, null, true);
  }
}
