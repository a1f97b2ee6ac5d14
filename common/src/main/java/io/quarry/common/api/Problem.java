package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * Something that {@code check} found and that no fix puts right by itself.
 *
 * @param imageId the image it is about; null when it is about none
 * @param subject the file, the pin, the open or the image
 * @param reason what is wrong, or what has to wait for whom
 * @param remedy what an operator can do
 */
public record Problem(
    Kind kind, @Nullable String imageId, String subject, String reason, String remedy) {

  /** What is the matter. */
  public enum Kind {
    /** The log says that a volume is whole, and its file is not there or is too short. */
    @JsonProperty("missingVolume")
    MISSING_VOLUME("missing volume"),
    /** The file of a frozen volume is not what it was when it was frozen. */
    @JsonProperty("changedVolume")
    CHANGED_VOLUME("changed volume"),
    /** A process writes to a volume that it has not opened through Quarry. */
    @JsonProperty("foreignWriter")
    FOREIGN_WRITER("foreign writer"),
    /** The agent's user may not use a volume's file, or not change its mode. */
    @JsonProperty("forbiddenVolume")
    FORBIDDEN_VOLUME("forbidden volume"),
    /** The file of a disk has another size than the log says. */
    @JsonProperty("sizeDiffers")
    SIZE_DIFFERS("size differs"),
    /** A deep check found that a volume's file cannot be read or contradicts itself. */
    @JsonProperty("damagedVolume")
    DAMAGED_VOLUME("damaged volume"),
    /** A difference waits for its base. */
    @JsonProperty("missingBase")
    MISSING_BASE("missing base"),
    /** It could be better, but somebody uses it. */
    @JsonProperty("inUse")
    IN_USE("in use"),
    /** Somebody has an image open who seems to be gone. */
    @JsonProperty("staleOpen")
    STALE_OPEN("stale open"),
    /** A copy keeps its source, and nobody reaches the repository that it is made in. */
    @JsonProperty("lostPin")
    LOST_PIN("lost pin"),
    /** An image is read through more layers than the limit. */
    @JsonProperty("longChain")
    LONG_CHAIN("long chain"),
    /** A file that is none of Quarry's, where volumes are. */
    @JsonProperty("foreignFile")
    FOREIGN_FILE("foreign file"),
    /** A deep check found space in a volume's file that nothing in it uses; it does no harm. */
    @JsonProperty("leakedSpace")
    LEAKED_SPACE("leaked space"),
    /** A deep check could not look at a volume. */
    @JsonProperty("notRead")
    NOT_READ("not read");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** As people read it. */
    public String label() {
      return label;
    }
  }
}
