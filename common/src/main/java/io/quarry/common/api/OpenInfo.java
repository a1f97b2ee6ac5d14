package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One use of an image.
 *
 * @param hostId the host of the use; for an upload, the host that took its beginning
 * @param owner the user, for people to read
 * @param bootId of the host's kernel at the time; null when unknown
 * @param upload for uploads only
 */
public record OpenInfo(
    String openId,
    String imageId,
    Use use,
    State state,
    String hostId,
    @Nullable String owner,
    boolean readOnly,
    Instant since,
    @Nullable String bootId,
    @Nullable Upload upload) {

  /** The purpose of an open. */
  public enum Use {
    /** A virtual machine, or another process that the caller knows. */
    @JsonProperty("machine")
    MACHINE("machine"),
    /** A caller sends the image's content. */
    @JsonProperty("upload")
    UPLOAD("upload"),
    /** An agent reads the image for a caller. */
    @JsonProperty("download")
    DOWNLOAD("download");

    private final String label;

    Use(String label) {
      this.label = label;
    }

    /** The word that people read. */
    public String label() {
      return label;
    }
  }

  /** The evidence that an open's user has ended. */
  public enum State {
    /** There is none. */
    @JsonProperty("inUse")
    IN_USE("in use"),
    /** The open's host is not live. */
    @JsonProperty("hostAbsent")
    HOST_ABSENT("host absent"),
    /**
     * The open's host runs in a later boot. The host ends the open once it has connected the
     * repository.
     */
    @JsonProperty("hostRebooted")
    HOST_REBOOTED("host rebooted"),
    /** The live host of that name is another machine, or was set up anew. */
    @JsonProperty("hostDiffers")
    HOST_DIFFERS("host differs"),
    /** The open has no boot id, and its host has booted since. */
    @JsonProperty("olderThanBoot")
    OLDER_THAN_BOOT("older than boot"),
    /** The upload has received nothing for long. */
    @JsonProperty("idle")
    IDLE("idle");

    private final String label;

    State(String label) {
      this.label = label;
    }

    /** The word that people read. */
    public String label() {
      return label;
    }
  }

  /**
   * How long an upload may still wait for its caller.
   *
   * @param activeAt when an agent last received or converted bytes of the upload
   * @param endsAt when agents end the upload, unless its caller goes on
   */
  public record Upload(Instant activeAt, Duration idleTimeout, Instant endsAt) {}
}
