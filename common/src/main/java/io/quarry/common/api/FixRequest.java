package io.quarry.common.api;

/**
 * @param fix exactly as {@code checkStorageRepository} gave it
 */
public record FixRequest(Fix fix) {}
