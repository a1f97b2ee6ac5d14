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
 * @param adopt what an operator says of a storage that is not the one its SDM writes to
 * @param persistent whether the agent connects it again when it starts
 */
public record ConnectRequest(
    String repoId,
    String repoFormat,
    Map<String, String> connectionParameters,
    @Nullable Adopt adopt,
    boolean persistent) {
  /** Why a storage differs from what is known of it. */
  public enum Adopt {
    /** It is a copy of another one, and becomes a repository of its own. */
    @JsonProperty("copy")
    COPY,
    /** It was restored from a backup, and takes the place of the newer one. */
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
