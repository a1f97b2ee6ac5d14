package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * The elements of commit records: one entity put in place or dropped. Applying a change needs no
 * decisions, so old records stay readable when the planner changes.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "change")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Change.PutImage.class, name = "putImage"),
  @JsonSubTypes.Type(value = Change.DropImage.class, name = "dropImage"),
  @JsonSubTypes.Type(value = Change.PutVolume.class, name = "putVolume"),
  @JsonSubTypes.Type(value = Change.DropVolume.class, name = "dropVolume"),
  @JsonSubTypes.Type(value = Change.PutFix.class, name = "putFix"),
  @JsonSubTypes.Type(value = Change.DropFix.class, name = "dropFix"),
  @JsonSubTypes.Type(value = Change.PutPin.class, name = "putPin"),
  @JsonSubTypes.Type(value = Change.DropPin.class, name = "dropPin"),
  @JsonSubTypes.Type(value = Change.PutOpen.class, name = "putOpen"),
  @JsonSubTypes.Type(value = Change.DropOpen.class, name = "dropOpen"),
  @JsonSubTypes.Type(value = Change.PutFeature.class, name = Change.PUT_FEATURE),
  @JsonSubTypes.Type(value = Change.PutExtension.class, name = "putExtension"),
  @JsonSubTypes.Type(value = Change.PutPool.class, name = "putPool"),
  @JsonSubTypes.Type(value = Change.PutAllocation.class, name = "putAllocation"),
  @JsonSubTypes.Type(value = Change.DropAllocation.class, name = "dropAllocation"),
  @JsonSubTypes.Type(value = Change.PutMapping.class, name = "putMapping"),
  @JsonSubTypes.Type(value = Change.DropMapping.class, name = "dropMapping"),
  @JsonSubTypes.Type(value = Change.PutEpoch.class, name = "putEpoch"),
  @JsonSubTypes.Type(value = Change.DropEpochs.class, name = "dropEpochs"),
})
public sealed interface Change {
  /** The name of the change that gives a log a feature. */
  String PUT_FEATURE = "putFeature";

  record PutImage(Image image) implements Change {}

  record DropImage(String id) implements Change {}

  record PutVolume(Volume volume) implements Change {}

  record DropVolume(String id) implements Change {}

  record PutFix(FixState fix) implements Change {}

  record DropFix(String id) implements Change {}

  record PutPin(Pin pin) implements Change {}

  record DropPin(String id) implements Change {}

  record PutOpen(Open open) implements Change {}

  record DropOpen(String id) implements Change {}

  /** A feature is never dropped: older agents must not read the records written since. */
  record PutFeature(Feature feature) implements Change {}

  /** An extension is dropped with its subject. */
  record PutExtension(Extension extension) implements Change {}

  /** This change and the following ones are only in logs with {@link Feature#EXTENTS}. */
  record PutPool(Pool pool) implements Change {}

  record PutAllocation(Allocation allocation) implements Change {}

  /** Only for a file without mappings: other files get the extents from now on. */
  record DropAllocation(String file) implements Change {}

  record PutMapping(Mapping mapping) implements Change {}

  record DropMapping(String file, String hostId) implements Change {}

  record PutEpoch(Epoch epoch) implements Change {}

  /** The epochs of a fix up to that one. */
  record DropEpochs(String fixId, long upTo) implements Change {}
}
